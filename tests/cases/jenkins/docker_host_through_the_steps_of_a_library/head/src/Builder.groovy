class Builder implements Serializable {
  def steps

  def scan() {
    steps.env.DOCKER_HOST = "unix:///var/run/docker.sock"
    steps.sh "gradle scan"
  }

  def local() {
    this.settings.DOCKER_HOST = "unix:///var/run/docker.sock"
  }
}
