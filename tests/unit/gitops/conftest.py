"""The scripts of the shipped argocd-cm, run as Argo CD runs them: in Lua 5.1 with hardly any library."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import lua51

Json = Any
Run = Callable[[str, Json], Json]
SNIPPET = Path(__file__).parents[3] / "examples" / "argocd" / "argocd-cm.yaml"
# All that Argo CD opens besides the base library: tables, and two functions of `os` to be required.
SANDBOX = """
local date, time = os.date, os.time
for _, name in ipairs({"string", "math", "io", "os", "debug", "coroutine", "package", "python",
                       "dofile", "loadfile", "module"}) do
  _G[name] = nil
end
getmetatable("").__index = nil
function require(name)
  if name ~= "os" then error("module " .. name .. " not found") end
  return { date = date, time = time }
end
"""


def _table(lua: Any, value: Json) -> Any:
    """A value of Kubernetes as the script sees it: a null is nothing."""
    if isinstance(value, dict):
        return lua.table_from({key: _table(lua, part) for key, part in value.items() if part is not None})
    if isinstance(value, list):
        return lua.table_from([_table(lua, part) for part in value])
    return value


def _json(value: Any) -> Json:
    """What a script returned, as Argo CD reads it: a table that counts from 1 is a list, an empty one too."""
    if lua51.lua_type(value) != "table":
        return value
    keys = list(value.keys())
    if keys == list(range(1, len(keys) + 1)):
        return [_json(value[key]) for key in keys]
    return {key: _json(value[key]) for key in keys}


def _run(script: str, obj: Json) -> Json:
    lua = lua51.LuaRuntime(register_eval=False, register_builtins=False)
    lua.execute(SANDBOX)
    lua.globals().obj = _table(lua, obj)
    return _json(lua.execute(script))


@pytest.fixture(scope="session")
def run() -> Run:
    """Run a script with `obj`; what it returns."""
    return _run


@pytest.fixture(scope="session")
def settings() -> dict[str, str]:
    """The settings of Argo CD as they are shipped."""
    data: dict[str, str] = yaml.safe_load(SNIPPET.read_text(encoding="utf-8"))["data"]
    return data


@pytest.fixture(scope="session")
def health(settings: dict[str, str]) -> Callable[[Json], Json]:
    """The health of a resource."""

    def judge(obj: Json) -> Json:
        group = obj["apiVersion"].partition("/")[0]
        return _run(settings[f"resource.customizations.health.{group}_{obj['kind']}"], obj)

    return judge


@pytest.fixture(scope="session")
def actions(settings: dict[str, str]) -> Callable[[Json], Json]:
    """The actions that a person may choose for a resource: their names, and whether each is disabled."""

    def discover(obj: Json) -> Json:
        found = yaml.safe_load(settings[f"resource.customizations.actions.lsbackends.dev_{obj['kind']}"])
        return {name: one["disabled"] for name, one in _run(found["discovery.lua"], obj).items()}

    return discover


@pytest.fixture(scope="session")
def act(settings: dict[str, str]) -> Callable[[str, Json], Json]:
    """Do an action; what Argo CD is to patch or to create."""

    def do(name: str, obj: Json) -> Json:
        found = yaml.safe_load(settings[f"resource.customizations.actions.lsbackends.dev_{obj['kind']}"])
        (script,) = (one["action.lua"] for one in found["definitions"] if one["name"] == name)
        return _run(script, obj)

    return do
