import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            name = "New"
            scriptContent = "make"
            dockerImage = "alpine:3"
            dockerRunParameters = "-v /var/run/docker.sock:/s:ro"
        }
    }
})
