"""The demo: providers simulated on loopback, to watch the gateway without a key or the internet.

addon.py starts the simulator beside mitmproxy and says what to try; api.yaml is the demo's configuration.
The simulator itself is `python -m scripts.demo`: server.py serves the wires (one file per provider's API in
wires/), and brain.py is the model behind all of them.
"""
