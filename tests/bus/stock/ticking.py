"""Stock nameko: a timer."""

from nameko.timer import timer
from noting import SERVICE, note
from serving import serve


class Ticking:
    name = SERVICE

    @timer(interval=0.2)
    def close_the_season(self):
        note("tick", "season")


if __name__ == "__main__":
    serve(Ticking)
