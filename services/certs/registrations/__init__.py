"""Completion certificates (结业证书) that institutions issue themselves, registered here so that anybody can check them."""
