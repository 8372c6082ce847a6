import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            name = "Old"
            scriptContent = "make"
            dockerImage = "alpine:2"
            dockerRunParameters = "-v /var/run/docker.sock:/s"
        }
    }
})
