"""Stock nameko: a service that believes its worker context, as nameko's own examples do."""

from nameko.contextdata import ContextDataProvider
from nameko.rpc import rpc
from noting import SERVICE, note
from serving import serve


class Role(ContextDataProvider):
    context_key = "role"


class Trusting:
    name = SERVICE
    role = Role()

    @rpc
    def work(self, item):
        note("role", self.role)


if __name__ == "__main__":
    serve(Trusting)
