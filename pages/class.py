"""Class: a teacher's room that students join by a code, and lessons to go through alone."""

from dashboard.classroom import page

page.draw()
