"""Pure rules of authority codes and of the seats that they fill; no I/O."""
