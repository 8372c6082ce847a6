variable "data" {
  default = "/srv/page"
}
variable "check_path" {
  default = "/"
}
