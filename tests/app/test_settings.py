import json

import pytest

from app.settings import Settings, load_settings, save_settings


def test_settings_come_back_as_they_were_saved(tmp_path):
    path = tmp_path / "new folder" / "settings.json"
    saved = Settings(theme="dark", smooth=False, last_folder="/データ", results_mib=2048)
    save_settings(saved, path)
    assert load_settings(path) == (saved, [])
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


def test_no_file_means_the_defaults_without_a_word(tmp_path):
    assert load_settings(tmp_path / "none.json") == (Settings(), [])


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"null", b"\xff\xfe\x00", b'"text"'])
def test_a_broken_file_means_the_defaults_and_one_message(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    settings, problems = load_settings(path)
    assert settings == Settings()
    assert len(problems) == 1


def test_one_bad_field_does_not_cost_the_others(tmp_path):
    path = tmp_path / "settings.json"
    values = {"theme": "pink", "smooth": "yes", "results_mib": -3, "last_folder": "/data", "unknown": 1}
    path.write_text(json.dumps(values))
    settings, problems = load_settings(path)
    assert settings == Settings(last_folder="/data")
    assert len(problems) == 3
    assert "'pink'" in problems[0]


def test_a_folder_that_cannot_be_written_costs_nothing_but_a_log_line(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    save_settings(Settings(), tmp_path / "file" / "settings.json")
    assert "could not be saved" in caplog.text


def test_a_broken_file_is_kept_beside_the_new_one(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "dark",}', encoding="utf-8")
    settings, problems = load_settings(path)
    save_settings(settings, path)
    assert (tmp_path / "settings.bad.json").read_text(encoding="utf-8") == '{"theme": "dark",}'
    assert "settings.bad.json" in problems[0]
