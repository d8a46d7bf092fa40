def test_web_server_after_kill_and_start_serves_again(house):
    house.kill("web")
    house.start("web")

    assert house.request("GET", "/healthz").status == 200


def test_worker_after_kill_and_start_runs(house):
    house.kill("worker")
    house.start("worker")

    assert house.is_running("worker")
