"""What each repository of the fleet should hold, as data: nothing is copied and nothing is sent."""
