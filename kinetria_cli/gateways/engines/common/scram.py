"""A password as the server stores it, so that the password itself never reaches a statement or a server's log."""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096
"""PostgreSQL 16's scram_iterations (manual, section 20.3)."""


def verifier(password: str) -> str:
    """Return the SCRAM-SHA-256 verifier (RFC 5802, section 3; its text form: PostgreSQL 16 manual, section 53.8).

    Args:
        password: ASCII, which SASLprep leaves as it is.
    """
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode("ascii") for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def change_password(role: str, password: str) -> str:
    """Return the statement that gives a role this password, and lets it in with it whatever kept it out.

    Args:
        role: A name that needs no quoting.
        password: As for `verifier`.
    """
    return f"ALTER ROLE {role} LOGIN PASSWORD '{verifier(password)}' VALID UNTIL 'infinity';\n\n"
