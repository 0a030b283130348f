"""The energy of a training by codecarbon, where it is installed. Nothing is sent, asked for, written or printed."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from threading import Thread
from typing import Any

PATIENCE = 20  # seconds for what looks for counters: a training does not wait for it longer


class Energy:
    """Measures what the machine uses from `begin` to `end`, GPUs too.

    Without counters in the hardware the processor's energy is reckoned from its load and its kind. CO2 is told where
    the country is known: CODECARBON_COUNTRY_ISO_CODE (SAU, FRA ...), or codecarbon's own files of settings.
    """

    def __init__(self) -> None:
        self._tracker: Any = None
        self._starting: Thread | None = None
        self._heard: Any = None

    def begin(self, *, forks: bool = False) -> None:
        """Begin to measure, a second or two later: to look for the hardware's counters takes that long.

        Args:
            forks: wait for that, because processes are forked next. They would hold the other ends of its pipes open.
        """
        if find_spec("codecarbon") is None:
            return
        from codecarbon import OfflineEmissionsTracker
        from codecarbon.output_methods.base_output import BaseOutput

        class Heard(BaseOutput):
            total: Any = None

            def out(self, total: Any, delta: Any) -> None:
                self.total = total

        self._heard = Heard()
        logging.getLogger("codecarbon").setLevel(logging.CRITICAL)
        self._tracker = OfflineEmissionsTracker(
            output_methods=[],
            emissions_endpoint=None,
            electricitymaps_api_token=None,
            allow_multiple_runs=True,
            log_level="critical",
            output_handlers=[self._heard],
        )
        self._starting = Thread(target=self._tracker.start, daemon=True)
        self._starting.start()
        if forks:
            self._starting.join(PATIENCE)

    @property
    def used(self) -> dict[str, float]:
        """{kwh, kg_co2} since `begin`; empty where nothing could be measured."""
        if self._tracker is None or self._starting is None or self._starting.is_alive():
            return {}
        self._tracker.flush()
        total = self._heard.total
        if total is None or not total.energy_consumed:
            return {}
        return {"kwh": total.energy_consumed, **({"kg_co2": total.emissions} if total.country_iso_code else {})}

    def end(self) -> None:
        """Stop measuring. A second time nothing happens."""
        if self._tracker is not None and self._starting is not None:
            self._starting.join(PATIENCE)
            if not self._starting.is_alive():
                self._tracker.stop()
            self._tracker = None
