"""Carries out a schedule of faults on a gateway, with the methods that its owner has."""

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import grpc

from zb_mom_ww_mxgateway_sim.faults.call_faults import (
    CallEffects,
    CallFaults,
    Injection,
    delaying,
    failing,
    garbling,
    losing,
    oversizing,
    stalling,
)
from zb_mom_ww_mxgateway_sim.faults.schedule import Fault
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.simulated_plant import SimulatedPlant
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import no_tag
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError
from zb_mom_ww_mxgateway_sim.runtime.errors import FaultError, TagError
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue

_log = logging.getLogger(__package__)
Action = Callable[[], Coroutine[Any, Any, None] | None]


class ScheduledGateway(Protocol):
    """Members of a gateway that a schedule needs."""

    @property
    def plaintext(self) -> bool: ...

    @property
    def alarms_enabled(self) -> bool: ...

    @property
    def live_sessions(self) -> list[str]: ...

    def set(self, tag: str, value: object, quality: int) -> None: ...

    def unset(self, tag: str) -> None: ...

    def raise_alarm(self, reference: str, *, severity: int = ...) -> None: ...

    def clear_alarm(self, reference: str) -> None: ...

    async def restart(self) -> None: ...

    async def swap_certificate(self) -> None: ...


class ScheduledFaults(Protocol):
    """Methods of ``gateway.faults`` that a schedule needs."""

    def has_key(self, key_id: str) -> bool: ...

    def release(self, rpc_or_kind: str | int | None = None) -> None: ...

    def drop_streams(self, code: grpc.StatusCode) -> None: ...

    def overflow_streams(self) -> None: ...

    def evict_replay(self, session_id: str) -> None: ...

    def lose_session(self, session_id: str) -> None: ...

    def fault_session(self, session_id: str) -> None: ...

    def close_session(self, session_id: str) -> None: ...

    def kill_worker(self, session_id: str) -> None: ...

    def kill_connections(self) -> None: ...

    def garble_connections(self) -> None: ...

    def swallow_connections(self, rpc_or_kind: str | int | None = None) -> None: ...

    def redeploy(self) -> None: ...

    def lose_galaxy(self) -> None: ...

    def restore_galaxy(self) -> None: ...

    def revoke(self, key_id: str) -> None: ...

    def hold_write_completes(self) -> None: ...

    def release_write_completes(self) -> None: ...

    def fail_alarm_provider(self, reason: str = ...) -> None: ...

    def restore_alarm_provider(self) -> None: ...

    def refuse_writes(self, glob: str, outcome: Status) -> None: ...

    def allow_writes(self, glob: str | None) -> None: ...


class Scheduler:
    """Injects faults at their times or calls. A fault that is impossible at its time is only logged."""

    def __init__(
        self,
        gateway: ScheduledGateway,
        actions: ScheduledFaults,
        plant: SimulatedPlant,
        faults: CallFaults,
        timers: TimerQueue,
        background: TaskOwner,
        first_key: str,
    ) -> None:
        """Start without a fault. ``first_key`` is the id of the key that ``revoke-key`` revokes by default."""
        self._gateway = gateway
        self._actions = actions
        self._plant = plant
        self._faults = faults
        self._timers = timers
        self._background = background
        self._first_key = first_key

    def check(self, fault: Fault) -> None:
        """Raise FaultError if the fault is impossible with this gateway."""
        place = f"{fault.where}: " if fault.where else ""
        if fault.action == "swap-certificate" and self._gateway.plaintext:
            raise FaultError(f"{place}a plaintext gateway has no certificate to swap")
        if fault.action == "revoke-key" and not self._actions.has_key(fault.text or self._first_key):
            raise FaultError(f"{place}there is no API key {fault.text or 'at all'}")
        needs_alarms = fault.action.endswith("alarm-provider") or fault.action in ("raise", "clear")
        if needs_alarms and not self._gateway.alarms_enabled:
            raise FaultError(f"{place}alarms are disabled in this gateway")
        self._check_target(fault)

    def _check_target(self, fault: Fault) -> None:
        target, plant = fault.target, self._plant
        match fault.action:
            case "set":
                try:
                    plant.value_of(target.text, fault.value.text)
                except TagError as error:
                    raise FaultError(f"{target.where}: {error}") from error
                except CoercionError as error:
                    raise FaultError(f"{fault.value.where}: {error}; use a value of the tag's type") from error
            case "unset" if plant.hierarchy.attribute(target.text) is None:
                raise FaultError(f"{target.where}: {no_tag(plant.hierarchy, target.text)}")
            case "raise" if fault.severity.text:
                own = plant.alarm_book().of_tag(target.text)
                if own is not None:
                    raise FaultError(f"{fault.severity.where}: set {own.tag}.Priority, the severity of this alarm")
            case "refuse-writes" | "allow-writes" if target.text:
                try:
                    plant.check_glob(target.text)
                except TagError as error:
                    raise FaultError(f"{target.where}: {error}") from error

    def add(self, fault: Fault) -> None:
        """Schedule the fault for its call, or for its time counted from now."""
        injection = self._injection(fault)
        if fault.number is not None:
            self._faults.at(fault.call, fault.number, injection or (lambda effects: self._run(fault)))
            return

        def happen() -> None:
            if injection is None:
                self._run(fault)
            elif fault.action == "delay":
                self._faults.delay(fault.call, fault.seconds)
            elif fault.action == "stall":
                self._faults.stall(fault.call)
            else:
                self._faults.on_next(fault.call, injection)

        if fault.every is not None:
            self._timers.every(fault.every, happen)
        else:
            self._timers.after(fault.after or 0.0, happen)

    def _injection(self, fault: Fault) -> Injection | None:
        """Return what the fault does to one call; None if it does not concern calls."""
        match fault.action:
            case "delay":
                return delaying(fault.seconds)
            case "refuse":
                assert fault.failure is not None
                return failing(fault.failure)
            case "stall":
                return self._stall_one(fault.call)
            case "lose-reply":
                return losing
            case "garbage-reply":
                return garbling
            case "oversized-reply":
                return oversizing
        return None

    def _stall_one(self, call: str) -> Injection:
        def inject(effects: CallEffects) -> None:
            # Taken at the time of the call: an earlier release must not let it go on.
            stalling(self._faults.gate(call))(effects)

        return inject

    def _run(self, fault: Fault) -> None:
        _log.info("fault: %s", fault.action)
        try:
            work = self._action(fault)()
        except (KeyError, TagError, ValueError) as error:
            _log.warning("fault %s failed: %s", fault.action, error)
        else:
            if work is not None:
                self._background.start(work, fault.action)

    def _action(self, fault: Fault) -> Action:
        gateway, faults = self._gateway, self._actions

        def each(act: Callable[[str], None]) -> Action:
            def for_all() -> None:
                for session_id in gateway.live_sessions:
                    act(session_id)

            return for_all

        actions: dict[str, Action] = {
            "release": lambda: faults.release(fault.text or None),
            "drop-stream": lambda: faults.drop_streams(grpc.StatusCode[fault.text]),
            "overflow": faults.overflow_streams,
            "evict-replay": each(faults.evict_replay),
            "lose-session": each(faults.lose_session),
            "fault-session": each(faults.fault_session),
            "close-session": each(faults.close_session),
            "kill-worker": each(faults.kill_worker),
            "kill-connection": faults.kill_connections,
            "garbage": faults.garble_connections,
            "swallow": lambda: faults.swallow_connections(fault.text or None),
            "restart": gateway.restart,
            "redeploy": faults.redeploy,
            "lose-galaxy": faults.lose_galaxy,
            "restore-galaxy": faults.restore_galaxy,
            "revoke-key": lambda: faults.revoke(fault.text or self._first_key),
            "swap-certificate": gateway.swap_certificate,
            "hold-write-completes": faults.hold_write_completes,
            "release-write-completes": faults.release_write_completes,
            "fail-alarm-provider": lambda: (
                faults.fail_alarm_provider(fault.text) if fault.text else faults.fail_alarm_provider()
            ),
            "restore-alarm-provider": faults.restore_alarm_provider,
            "set": lambda: gateway.set(
                fault.target.text, self._plant.value_of(fault.target.text, fault.value.text), fault.quality
            ),
            "unset": lambda: gateway.unset(fault.target.text),
            "raise": lambda: (
                gateway.raise_alarm(fault.target.text, severity=int(fault.severity.text))
                if fault.severity.text
                else gateway.raise_alarm(fault.target.text)
            ),
            "clear": lambda: gateway.clear_alarm(fault.target.text),
            "refuse-writes": lambda: faults.refuse_writes(fault.target.text, fault.refusal or status.WRITE_DENIED),
            "allow-writes": lambda: faults.allow_writes(fault.target.text or None),
        }
        return actions[fault.action]
