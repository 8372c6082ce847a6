val options = "-v /run/docker.sock:/s"
import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            scriptContent = "make"
            dockerImage = "alpine"
            dockerRunParameters = options
        }
    }
})
