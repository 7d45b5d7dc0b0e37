"""The readers' page of a study: who reads, one case after the other, answers stored before the next is shown."""
