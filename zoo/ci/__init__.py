"""Checks, plans and errors as services tell them: comments, annotations, reports, and a workflow to begin with."""
