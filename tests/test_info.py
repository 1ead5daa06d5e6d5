import io
import json
import re
import shutil
import unicodedata

import pytest
from rich.console import Console

from textsent.display import print_model
from textsent.errors import PresetError
from textsent.info import model_info
from textsent.presets import CONFIG_FILE, METADATA_FILE, README_FILE, find_preset, read_json, write_json


@pytest.fixture
def preset(tiny_preset, tmp_path):
    """A preset that a test may change."""
    return shutil.copytree(tiny_preset, tmp_path / "own")


def shown(folder, **settings) -> str:
    target = Console(file=io.StringIO(), width=80, markup=False, emoji=False, highlight=False, **settings)
    print_model(target, model_info(folder))
    return target.file.getvalue()


def facts(shown: str) -> dict[str, str]:
    lines = shown.partition("\n\n")[0].splitlines()
    return {line[:12].strip(): line[12:] for line in lines}


def test_the_shipped_model_is_described_by_its_facts_and_its_card():
    output = shown("imdb-lstm")
    found = facts(output)
    config, metadata = (read_json(find_preset("imdb-lstm") / name) for name in (CONFIG_FILE, METADATA_FILE))
    assert found["model"] == "imdb-lstm"
    assert found["vocabulary"] == f"{config['vocabulary_size']:,} words"
    assert re.fullmatch(r"\d+\.\d MB", found["size"])
    assert found["neutral"] == "scores from 0.33 to 0.67"
    assert found["made"].startswith(metadata["created"])
    assert output.endswith((find_preset("imdb-lstm") / README_FILE).read_text("utf-8"))


def test_a_terminal_shows_the_card_laid_out(preset):
    (preset / README_FILE).write_text("# A model\n\nKnows **five** words.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    output = shown(preset, force_terminal=True, color_system=None)
    assert "Knows five words." in output
    assert "|---|" not in output


def test_a_model_without_card_and_calibration_says_so(preset):
    output = shown(preset)
    assert "it has no model card" in output
    found = facts(output)
    assert (found["calibration"], found["neutral"]) == ("temperature 1, bias 0", "no score")
    assert found["by"] == "made by the tests"
    assert "made" not in found


@pytest.mark.parametrize("settings", [{}, {"force_terminal": True, "color_system": None}])
def test_what_steers_a_terminal_in_a_card_is_not_passed_on(preset, settings):
    (preset / README_FILE).write_text(
        "# A\x1b]0;title\x07\n\n\tcode \x1b[31mred\x9b2J\n\nto \u202etfel [bold]x[/bold]\n"
    )
    write_json(preset / METADATA_FILE, {"command": "a\x1b[2Jb\nc", "created": ["\x07"], "versions": 5})
    output = re.sub(r"\x1b\[[\d;]*m", "", shown(preset, **settings))
    assert not any(unicodedata.category(one) in ("Cc", "Cf") for one in output.replace("\n", "").replace("\t", ""))
    assert "[bold]x[/bold]" in output
    assert "a[2Jb c" in output


@pytest.mark.parametrize("config", [{"vocabulary_size": None, "recipe": ["x"], "window": "wide"}, {}])
def test_a_configuration_that_tells_little_is_shown_all_the_same(preset, config):
    write_json(preset / CONFIG_FILE, config)
    assert facts(shown(preset))["vocabulary"] == "an unknown number of words"


def test_the_json_holds_configuration_and_metadata(preset):
    content = json.loads(json.dumps(model_info(preset).to_json()))
    assert content["name"] == "own"
    assert content["folder"] == str(preset)
    assert content["bytes"] == sum(path.stat().st_size for path in preset.iterdir())
    assert content["config"]["recipe"] == "lstm"
    assert content["preprocessor"]["lower"] is True
    assert content["metadata"] == {"command": "made by the tests"}


def test_a_folder_that_is_no_preset_is_an_error(tmp_path):
    with pytest.raises(PresetError, match=r"is not a complete preset, it lacks config\.json"):
        model_info(tmp_path)
    with pytest.raises(PresetError, match="there is no model 'nowhere'"):
        model_info("nowhere")


def test_a_card_that_is_no_text_is_an_error(preset):
    (preset / README_FILE).write_bytes(b"\xff")
    with pytest.raises(PresetError, match=r"README\.md can't be read"):
        model_info(preset)
