import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            name = "Test"
            scriptContent = "make"
        }
    }
})
