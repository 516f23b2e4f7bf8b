"""Identity Center, as far as a sign-in and a role's credentials take it, for scripts that can't use the tests' own: it approves everything."""

import http.server
import json
import time


class Portal(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, body):
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        page = f"http://{self.headers['Host']}/device"
        # Secrets are as long as the service's.
        self.answer({
            "/client/register": {"clientId": "id", "clientSecret": "s" * 1600, "clientSecretExpiresAt": int(time.time()) + 7776000},
            "/device_authorization": {"deviceCode": "d" * 60, "userCode": "ABCD-EFGH", "verificationUri": page, "expiresIn": 600, "interval": 1},
            "/token": {"accessToken": "a" * 340, "refreshToken": "r" * 1500, "expiresIn": 3600, "tokenType": "Bearer"},
        }.get(self.path, {}))

    def do_GET(self):
        self.answer(self.fetched())

    def fetched(self):
        """The answer to what is asked by GET."""
        return self.role_credentials(3600, 900)

    def role_credentials(self, life, token):
        """Credentials that expire in `life` seconds, with a session token of `token` bytes."""
        keys = {"accessKeyId": "ASIASTANDIN", "secretAccessKey": "s" * 40, "sessionToken": "t" * token}
        return {"roleCredentials": {**keys, "expiration": int((time.time() + life) * 1000)}}

    def log_message(self, *_):
        pass
