"""Whatever happens, in whatever order, and wherever the operator dies: one Job at a time, and every end."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from lsb_operator import marks
from lsb_operator.attempt import DECIDED

REASONS = st.sampled_from(["Manual", "Button", "Annotations", "Schedule", "Prepare"])
OUTCOMES = st.sampled_from(["Promoted", "Rejected", "AwaitingApproval", "Prepared", "Failed"])
FAILURES = st.sampled_from(["DeadlineExceeded", "BackoffLimitExceeded", "PodFailurePolicy"])
MESSAGES = st.sampled_from(["", "{", "null", "Killed", '{"outcome": "Promoted", "version": "x"}'])


def machine(new_world, spec):
    class Cluster(RuleBasedStateMachine):
        """Events in any order; `new_world` makes what they happen to."""

        def __init__(self) -> None:
            super().__init__()
            self.world = new_world(spec)
            self.version = 0
            self.names = 0

        def _pick(self, names, choice):
            return sorted(names)[choice % len(names)]

        @rule(reason=REASONS, again=st.booleans())
        def somebody_asks(self, reason, again) -> None:
            self.names += not again
            self.world.later(seconds=self.names % 2)
            self.world.ask(f"t{self.names}", reason)

        @rule()
        def the_operator_works(self) -> None:
            self.world.reconcile()

        @rule(most=st.integers(0, 4))
        def the_operator_dies_at_work(self, most) -> None:
            self.world.reconcile(most)

        @precondition(lambda self: self.world.running())
        @rule(choice=st.integers(0, 9))
        def a_pod_starts(self, choice) -> None:
            job = self._pick(self.world.running(), choice)
            self.world.jobs[job]["spec"]["suspend"] = False
            self.world.start(job)

        @precondition(lambda self: self.world.running())
        @rule(choice=st.integers(0, 9), outcome=OUTCOMES)
        def a_job_succeeds(self, choice, outcome) -> None:
            self.version += 1
            version = f"{self.version}-aaaaaaaa"
            self.world.end(self._pick(self.world.running(), choice), outcome=outcome, version=version)

        @precondition(lambda self: self.world.running())
        @rule(choice=st.integers(0, 9), message=MESSAGES)
        def a_job_leaves_nothing_to_read(self, choice, message) -> None:
            self.world.end(self._pick(self.world.running(), choice), message=message)

        @precondition(lambda self: self.world.running())
        @rule(choice=st.integers(0, 9), reason=FAILURES)
        def a_job_fails(self, choice, reason) -> None:
            self.world.end(self._pick(self.world.running(), choice), message="no", code=1, reason=reason)

        @precondition(lambda self: self.world.jobs)
        @rule(choice=st.integers(0, 9))
        def somebody_deletes_a_job(self, choice) -> None:
            self.world.remove_job(self._pick(self.world.jobs, choice))

        @precondition(lambda self: self.world.trainings)
        @rule(choice=st.integers(0, 9))
        def somebody_deletes_a_training(self, choice) -> None:
            del self.world.trainings[self._pick(self.world.trainings, choice)]

        @precondition(lambda self: self.world.trainings)
        @rule(choice=st.integers(0, 9), said=st.sampled_from(["true", "false", "maybe"]))
        def somebody_decides(self, choice, said) -> None:
            name = self._pick(self.world.trainings, choice)
            self.world.trainings[name]["metadata"]["annotations"] = {marks.APPROVED: said}

        @rule(suspend=st.booleans(), task=st.sampled_from(["dummy", "detect"]))
        def somebody_edits_the_backend(self, suspend, task) -> None:
            self.world.backend["spec"]["suspend"] = suspend
            if self.world.backend["spec"].get("model", {}).get("task") != "detect":
                self.world.backend["spec"]["model"] = {"task": task}

        @rule(minutes=st.sampled_from([1, 61, 60 * 24]))
        def time_goes_by(self, minutes) -> None:
            self.world.later(minutes=minutes)

        @invariant()
        def never_two_jobs_at_once(self) -> None:
            assert len(self.world.running()) <= 1, self.world.running()

        @invariant()
        def an_end_is_an_end(self) -> None:
            ended = getattr(self, "ended", {})
            now = {
                (one["metadata"]["uid"]): one.get("status", {}).get("phase")
                for one in self.world.trainings.values()
            }
            for uid, phase in ended.items():
                assert now.get(uid, phase) == phase
            final = ("Succeeded", "Rejected", "Failed", "Superseded")
            self.ended = {uid: phase for uid, phase in now.items() if phase in final}

        def teardown(self) -> None:
            """Left alone, with Jobs that succeed, everything ends, and then nothing is done any more."""
            self.world.backend["spec"]["suspend"] = False
            for _ in range(100):
                self.world.settle()
                assert len(self.world.running()) <= 1
                if not self.world.running():
                    if all(self.world.phase(name) in DECIDED for name in self.world.trainings):
                        break
                    self.world.later(hours=7)
                    continue
                self.version += 1
                self.world.end(
                    self.world.running()[0], outcome="Promoted", version=f"{self.version}-aaaaaaaa"
                )
            phases = {name: self.world.phase(name) for name in self.world.trainings}
            assert all(phase in DECIDED for phase in phases.values()), phases
            promoted = [self.world.status(name).get("promoted") for name in self.world.trainings]
            assert self.world.model.target is not None or not any(promoted)
            assert self.world.plan().actions == ()
            limits = [job["spec"].get("ttlSecondsAfterFinished") for job in self.world.jobs.values()]
            assert None not in limits

    return Cluster


FREELY = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_without_a_queue(new_world) -> None:
    run_state_machine_as_test(machine(new_world, {}), settings=FREELY)


def test_with_a_queue_and_a_schedule(new_world) -> None:
    training = {"queue": "gpus", "triggers": {"schedule": "0 2 * * *"}, "keepVersions": 2, "backoffLimit": 0}
    run_state_machine_as_test(machine(new_world, {"training": training}), settings=FREELY)
