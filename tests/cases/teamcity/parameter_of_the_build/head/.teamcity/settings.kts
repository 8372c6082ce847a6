object Build : BuildType({
    params {
        param("env.DOCKER_HOST", "tcp://10.0.0.5:2375")
    }
})
