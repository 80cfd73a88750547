from django.apps import AppConfig


class PatientsConfig(AppConfig):
    name = "patients"

    def ready(self) -> None:
        from patients import sessions, sign_ins

        sessions.listen()
        sign_ins.listen()
