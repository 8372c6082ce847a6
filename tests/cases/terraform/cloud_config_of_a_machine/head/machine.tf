resource "hcloud_server" "runner" {
  user_data = <<-EOT
    #cloud-config
    runcmd:
      - docker run -d -v /var/run/docker.sock:/s example.com/runner
  EOT
}
