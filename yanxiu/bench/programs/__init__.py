"""The programs that the floors consist of, each a process of its own, and the askers that call them."""
