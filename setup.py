"""Build step: the pages and Streamlit's settings travel inside the package dashboard; pyproject.toml says all else."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithPages(build_py):
    """Copies app.py, pages/ and .streamlit/ into dashboard/served, from where an installed dashboard is served."""

    def run(self) -> None:
        """Build, then copy; an editable install serves the clone itself."""
        super().run()
        if self.editable_mode:
            return
        served = Path(self.build_lib, "dashboard", "served")
        for source in (Path("app.py"), *Path("pages").glob("*.py"), Path(".streamlit", "config.toml")):
            target = served / source
            self.mkpath(str(target.parent))
            self.copy_file(str(source), str(target))


setup(cmdclass={"build_py": BuildWithPages})
