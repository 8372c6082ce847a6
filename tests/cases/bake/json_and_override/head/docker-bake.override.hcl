target "nightly" {
  inherits = ["base"]
}
