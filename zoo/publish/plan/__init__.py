"""What publishing would change: the Hub is looked at and compared with what is desired; nothing is sent."""
