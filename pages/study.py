"""Study: readers of a study read their cases, one after the other."""

from dashboard.shared import style
from dashboard.study import page

style.heading(page.TITLE)
page.draw()
