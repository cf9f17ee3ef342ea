"""Two mixers of our own, beside the demo plant: mxgw-shell --demo --plant examples/plants/mixer.py

Each motor starts a second after its button, stirs and warms the vessel, and stops by itself when that is too hot.
"""

from zb_mom_ww_mxgateway_sim import Plant, WriteRecord, every, on_write, tag

MIXERS = ("Mixer1", "Mixer2")

for mixer in MIXERS:
    tag(f"{mixer}.Start", False, description="Button: starts the motor")
    tag(f"{mixer}.Stop", False, description="Button: stops the motor")
    tag(f"{mixer}.Speed", 40.0, unit="1/min")
    tag(f"{mixer}.Running", False, writable=False)
    tag(f"{mixer}.Temperature", 20.0, writable=False, unit="°C", alarms="hi 60 800 deadband 10", area="Mixers")


@on_write("Mixer*.Start", "Mixer*.Stop")
def pressed(plant: Plant, write: WriteRecord) -> None:
    mixer, _, button = write.tag.partition(".")
    plant[write.tag] = False
    if write.value:
        plant.after(1.0, lambda plant: plant.set(f"{mixer}.Running", button == "Start"))


@every(0.2)
def stir(plant: Plant) -> None:
    for mixer in MIXERS:
        heat = plant[f"{mixer}.Speed"] / 100 if plant[f"{mixer}.Running"] else 0.0
        temperature = plant[f"{mixer}.Temperature"]
        plant[f"{mixer}.Temperature"] = temperature + heat - 0.005 * (temperature - 20)
        if temperature > 60:
            plant[f"{mixer}.Running"] = False
