import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        // dockerRunParameters = "-v /var/run/docker.sock:/s"
        /* -v /var/run/docker.sock:/s */
        script {
            name = "Test"
            scriptContent = "echo /var/run/docker.sock"
            dockerImage = "alpine"
            dockerRunParameters = "-v run:/var/run"
        }
    }
})
