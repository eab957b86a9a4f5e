"""规则与模型."""

from monitoring import ui
from monitoring.ui import View


def page(view: View) -> None:
    ui.title(view.t("规则与模型"))
