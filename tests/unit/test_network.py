"""The ports of a stack."""

import pytest

from kinetria_cli.domain.errors import Refused
from kinetria_cli.gateways.engines.common.network import APP_PORT, settle_port


def test_what_moves_a_service_names_the_port_wherever_it_was_set() -> None:
    with pytest.raises(Refused) as refused:
        settle_port(APP_PORT, insisted=9, running=8080, preferred=8080, project="gym")
    assert refused.value.hint == "to move it: kinetria down, then kinetria up --http-port 9"
