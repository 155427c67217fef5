# UNBUILT: never run through brew; address and digest are those of no release. Its place is a tap,
# as Formula/inkling.rb.
class Inkling < Formula
  include Language::Python::Virtualenv

  desc "Find a file from an inkling of what was in it"
  homepage "https://pypi.org/project/inkling-search/"
  url "https://example.invalid/inkling_search-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license "AGPL-3.0-or-later"

  depends_on "libarchive"
  depends_on "python@3.12"

  def install
    # The libraries are wheels, not built here: several are in other languages than Python.
    venv = virtualenv_create(libexec, "python3.12")
    system libexec/"bin/python", "-m", "pip", "install", buildpath
    bin.install_symlink libexec/"bin/inkling"
    venv
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/inkling --version")
    system bin/"inkling", "demo"
  end
end
