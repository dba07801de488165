"""The gateway beside its alternatives: responses a second, start, memory, an installation.

Figures never fail; compare those of the same minute.
"""

import os
import sys
from collections.abc import Callable

import gateway_install
import gateway_memory
import gateway_speed
import gateway_starts
from local import Unavailable

PARTS: dict[str, Callable[[], None]] = {
    "speed": gateway_speed.main,
    "starts": gateway_starts.main,
    "memory": gateway_memory.main,
    "install": gateway_install.main,
}


def main(names: list[str]) -> None:
    for name in names or PARTS:
        try:
            PARTS[name]()
        except Unavailable as error:
            print(f"{name}: not measured: {error}")
        print(f"  (load of this machine, which has {os.cpu_count()} cores: {os.getloadavg()[0]:.1f})\n", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
