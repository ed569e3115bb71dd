"""What a person sees of a request in mitmproxy's own tools."""
