"""The course supermarket 课程超市: what is offered to whom, found, ordered, rated and recommended."""
