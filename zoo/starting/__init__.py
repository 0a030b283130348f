"""Labs of one's own: files of recipes, written from what a base model and data say of themselves."""
