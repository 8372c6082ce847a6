import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            name = "Test"
            scriptContent = "make"
            dockerImage = "example/builder:1"
            dockerRunParameters = "--cap-drop ALL -v /var/run/docker.sock:/var/run/docker.sock"
        }
    }
})
