"""Rooms: who may do what, what outlives a restart, and when they end."""

from __future__ import annotations

import json
import re
import threading

import pytest

from dashboard.classroom.rooms import LASTS_SECONDS, MOST_OF_ONE, Reply, RoomError, Rooms

HERE = Reply(mark=(0.25, 0.5, 0.25, 0.5))


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rooms(tmp_path, clock):
    return Rooms(tmp_path, now=clock)


def test_a_code_has_six_letters_and_is_found_however_it_is_written(rooms):
    room = rooms.open("teacher", "lesson")
    assert re.fullmatch("[BCDFGHJKLMNPQRSTVWXZ]{6}", room.code)
    assert rooms.get(f" {room.code[:3].lower()}-{room.code[3:]} ") is room


def test_only_the_teacher_drives(rooms):
    code = rooms.open("teacher", "lesson").code
    rooms.join(code, "ada", "Ada")
    for drive in (
        lambda: rooms.go(code, "ada", 1, 3),
        lambda: rooms.show(code, "ada", 1),
        lambda: rooms.end(code, "ada"),
    ):
        with pytest.raises(RoomError, match="Only the teacher"):
            drive()
    assert rooms.get(code).stands_at == (0, 0, False)


def test_nobody_answers_after_the_reveal_not_even_when_the_teacher_goes_back(rooms):
    code = rooms.open("teacher", "lesson").code
    rooms.join(code, "ada", "Ada")
    rooms.reply(code, "ada", 0, Reply(choice=1))
    rooms.reply(code, "ada", 0, Reply(choice=2))
    rooms.show(code, "teacher", 2)
    with pytest.raises(RoomError, match="too late"):
        rooms.reply(code, "ada", 0, Reply(choice=0))
    rooms.go(code, "teacher", 1, 3)
    with pytest.raises(RoomError, match="too late"):
        rooms.reply(code, "ada", 0, Reply(choice=0))
    rooms.go(code, "teacher", -1, 3)
    with pytest.raises(RoomError, match="too late"):
        rooms.reply(code, "ada", 0, Reply(choice=0))
    assert rooms.get(code).of_step(0) == {"ada": Reply(choice=2)}


def test_the_lesson_stays_between_its_first_and_last_step(rooms):
    code = rooms.open("teacher", "lesson").code
    rooms.go(code, "teacher", -1, 2)
    assert rooms.get(code).step == 0
    for _ in range(3):
        rooms.go(code, "teacher", 1, 2)
    assert rooms.get(code).step == 1


@pytest.mark.parametrize(
    ("nickname", "words"), [("", "Write a nickname"), (" \n\u200b ", "Write a nickname"), ("ADA", "called ADA already")]
)
def test_a_nickname_that_will_not_do_is_refused_in_a_sentence(rooms, nickname, words):
    code = rooms.open("teacher", "lesson").code
    rooms.join(code, "ada", "Ada")
    with pytest.raises(RoomError, match=words):
        rooms.join(code, "bob", nickname)
    assert rooms.join(code, "ada", "Countess").students == {"ada": "Countess"}


def test_a_restart_loses_nothing(rooms, tmp_path, clock):
    code = rooms.open("teacher", "lesson").code
    rooms.join(code, "ada", "Ada ü ✓")
    rooms.reply(code, "ada", 0, HERE)
    rooms.go(code, "teacher", 1, 3)
    rooms.reply(code, "ada", 1, Reply(choice=3))
    rooms.show(code, "teacher", 1)
    again = Rooms(tmp_path, now=clock)
    assert again.get(code) == rooms.get(code)
    assert again.get(code).stands_at == (1, 1, False)
    assert again.get(code).of_step(0) == {"ada": HERE}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"replies": {}}', '{"code": "BCDFGH", "replies": {"x": 1}}', "\x00" * 50]
)
def test_a_damaged_file_costs_its_own_room_alone(rooms, tmp_path, clock, content):
    sound = rooms.open("teacher", "lesson").code
    (tmp_path / "BCDFGH.json").write_text(content)
    again = Rooms(tmp_path, now=clock)
    assert again.get(sound).lesson == "lesson"
    with pytest.raises(RoomError, match="no room of this code"):
        again.get("BCDFGH")


def test_a_room_ends_after_a_day_or_when_the_teacher_says(rooms, tmp_path, clock):
    told, left = rooms.open("teacher", "lesson").code, rooms.open("teacher", "lesson").code
    rooms.join(told, "ada", "Ada")
    rooms.end(told, "teacher")
    for act in (lambda: rooms.join(told, "bob", "Bob"), lambda: rooms.go(told, "teacher", 1, 3)):
        with pytest.raises(RoomError, match="has ended"):
            act()
    clock.now += LASTS_SECONDS - 1
    assert rooms.get(left).code == left
    clock.now += 2
    with pytest.raises(RoomError, match="no room of this code"):
        rooms.get(left)
    assert list(tmp_path.glob("*.json")) == []


def test_one_person_opens_three_rooms_at_most(rooms):
    opened = [rooms.open("teacher", "lesson").code for _ in range(MOST_OF_ONE)]
    with pytest.raises(RoomError, match="End one of them"):
        rooms.open("teacher", "lesson")
    rooms.end(opened[0], "teacher")
    assert rooms.open("teacher", "lesson").code not in opened


def test_nobody_joins_somebody_who_learns_alone(rooms):
    room = rooms.open("ada", "lesson", alone=True)
    with pytest.raises(RoomError, match="no room of this code"):
        rooms.join(room.code, "bob", "Bob")
    rooms.reply(room.code, "ada", 0, HERE)
    assert rooms.get(room.code).of_step() == {"ada": HERE}


def test_forty_students_answer_at_once_and_everybody_is_told_when_the_lesson_moves(tmp_path):
    told: list[bool] = []
    rooms = Rooms(tmp_path, lambda code, moved: told.append(moved))
    code = rooms.open("teacher", "lesson").code

    def take_part(number: int) -> None:
        rooms.join(code, f"s{number}", f"Student {number}")
        rooms.reply(code, f"s{number}", 0, Reply(choice=number % 4))

    threads = [threading.Thread(target=take_part, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rooms.get(code).of_step()) == len(rooms.get(code).students) == 40
    assert told == [False] * 80
    rooms.show(code, "teacher", 1)
    assert told[-1] is True
    stored = json.loads((tmp_path / f"{code}.json").read_text())
    assert len(stored["replies"]["0"]) == 40


@pytest.mark.parametrize(
    "given",
    [
        None, {}, {"choice": -1}, {"choice": True}, {"choice": "1"}, {"mark": [0, 0, 1]}, {"mark": [0, 0, 2, 1]},
        {"mark": [0, 0, float("nan"), 1]}, {"mark": "0000"}, {"choice": 1, "mark": [0, 0, 1, 1]},
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused(given):
    with pytest.raises(ValueError, match="no choice and no mark"):
        Reply.checked(given)


def test_a_box_drawn_backwards_is_the_same_box():
    assert Reply.checked({"mark": [0.5, 0.75, 0.25, 0.5]}).mark == (0.25, 0.5, 0.5, 0.75)
