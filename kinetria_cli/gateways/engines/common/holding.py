"""A port of the stack that another program holds, as a finding of `doctor`."""

from kinetria_cli.domain.doctor import Cause, Finding, broken
from kinetria_cli.domain.listener import Listener
from kinetria_cli.gateways.engines.common.network import holder, listener, next_free


def taken(address: str, port: int, whose: str, option: str) -> Finding:
    """Return the finding of a port that another program holds.

    Args:
        address: The port's address, for people.
        port: Its number.
        whose: What should have it.
        option: The option of `up` that moves it.
    """
    found = listener(port) or Listener(holder(port), None, tunnel=False, stopped=False)
    what = "An SSH tunnel" if found.tunnel else f"Another program ({found.name})"
    end = f"or end it: kill {found.pid}" if found.pid else None
    if found.tunnel:
        end = f"or close the tunnel: kill {found.pid}"
    command = f"kinetria up {option} {next_free(port)}"
    text = f"{what} has port {port}, where {whose} should be."
    return broken(f"{address} is held by {found.name}", Cause(text, command, other=end, safe=True))
