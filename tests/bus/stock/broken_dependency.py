"""Stock nameko: a dependency whose set-up fails for one caller."""

from nameko.extensions import DependencyProvider
from nameko.rpc import rpc
from noting import SERVICE, note
from serving import serve


class Account(DependencyProvider):
    def worker_setup(self, worker_ctx):
        if worker_ctx.args == ["nobody"]:
            raise LookupError("no such account")


class Fragile:
    name = SERVICE
    account = Account()

    @rpc
    def work(self, item):
        note("done", item)


if __name__ == "__main__":
    serve(Fragile)
