"""What ``make run`` starts and looks after: broker, web, worker and scheduler."""
