"""What the notebooks ask: predictions before a cell shows what happens, and the quiz."""

from labs.lesson.questions.predictions import PREDICTIONS
from labs.lesson.questions.question import Option, Question
from labs.lesson.questions.quizzes import QUIZZES

__all__ = ["PREDICTIONS", "QUIZZES", "Option", "Question"]
