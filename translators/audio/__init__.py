"""Sound: what was said as text, and text spoken. Each endpoint has its file, with SERVICES and `read`."""
