"""One module a page; its template and the live parts of it have the same name."""
