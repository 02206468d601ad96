"""Stock nameko: one method that works, and one that asks a neighbour."""

import eventlet
from nameko.rpc import RpcProxy, rpc
from noting import SERVICE, note
from serving import serve


class Calls:
    name = SERVICE
    neighbour = RpcProxy(SERVICE + "_neighbour")

    @rpc
    def work(self, item, seconds=0):
        note("done", item)  # the commit; what follows is the way back to the caller
        eventlet.sleep(seconds)
        return {"item": item}

    @rpc
    def ask_neighbour(self, item):
        note("asking", item)
        answer = self.neighbour.work(item)
        note("answered", item)
        return answer


if __name__ == "__main__":
    serve(Calls)
