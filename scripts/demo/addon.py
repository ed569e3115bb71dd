"""A mitmproxy script: runs the simulator for as long as mitmproxy runs, and says what to try.

Loaded before uniapi_addon.py, because the demo's api.yaml needs the simulator's address from the environment.
"""

import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

from mitmproxy import ctx

ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-demo"
WELCOME = """
The demo is running: its providers are simulated on this machine, without keys and without the internet.

  curl {url}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"model": "claude-demo", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

Streamed:

  curl -N {url}/v1/chat/completions -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{"model": "claude-demo", "stream": true, "messages": [{{"role": "user", "content": "Count to 9"}}]}}'

Key: {key} (for admins: {key}-admin). Models: gpt-demo, claude-demo, gemini-demo, cohere-demo, cloudflare-demo,
openrouter-demo, azure-demo, each on its own wire, and resilient-demo, which a dead and a flaky provider offer
before a reliable one: ask for it a few times and watch. For pictures: image-demo, gemini-image-demo, imagen-demo;
for sound: speech-demo, transcription-demo; for vectors: embedding-demo, gemini-embedding-demo and others.
Your own providers go into api.yaml.
"""


class Demo:
    """Starts the simulator, and ends it with mitmproxy."""

    def load(self, loader: object) -> None:
        """Starts the simulator and puts its address where api.yaml looks for it."""
        # Its stdin is our pipe: however this process ends, the pipe closes, and the simulator goes too.
        # In a session of its own it does not hear the terminal's Ctrl-C.
        self.simulator = subprocess.Popen(
            [sys.executable, "-m", "scripts.demo"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self.simulator.stdout is not None
        address = self.simulator.stdout.readline().strip()
        if not address:
            raise RuntimeError("the demo's simulator did not start: see its message above")
        os.environ["UNIAPI_DEMO_URL"] = address

    def running(self) -> None:
        """Tells what to try, once mitmproxy listens."""
        addresses = ctx.master.addons.get("proxyserver").listen_addrs()
        host, port = addresses[0][:2] if addresses else ("127.0.0.1", 8080)
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1"
        elif address.version == 6:
            host = f"[{host}]"
        print(WELCOME.format(url=f"http://{host}:{port}", key=KEY), flush=True)

    def done(self) -> None:
        """Ends the simulator."""
        with self.simulator:
            self.simulator.kill()


addons = [Demo()]
