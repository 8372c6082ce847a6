import jetbrains.buildServer.configs.kotlin.*
val build = BuildType {
    name = "Nightly"
    steps {
        maven {
            goals = "test"
            dockerImage = "maven:3"
            dockerRunParameters = "--init " +
                "-v /var/run/docker.sock:/s"
        }
        gradle {
            dockerImage = "gradle:8"
            dockerRunParameters = listOf(
                "--init",
                "-v /run/podman/podman.sock:/p"
            ).joinToString(" ")
        }
    }
}
