object Build : BuildType({
    params {
        param("docker.options", "-v /var/run/docker.sock:/s")
    }
    steps {
        script {
            id = "x"
            scriptContent = "make"
            dockerImage = "alpine"
            dockerRunParameters = "--init %docker.options%"
        }
    }
})
