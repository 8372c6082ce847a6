job [[ template "job_name" . ]] {
  group "page" {
    task "page" {
      driver = "docker"
      config {
        image   = [[ .page.image | quote ]]
        volumes = ["local/page.yaml:/etc/page.yaml", "[[ .page.data ]]:/data"]
      }
    }
  }
}
