import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        dockerCommand {
            name = "Run"
            commandType = other {
                subCommand = "run"
                commandArgs = "-v /var/run/docker.sock:/s example/tool"
            }
        }
    }
})
