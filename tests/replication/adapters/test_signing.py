"""Our signatures against the examples that the vendors publish."""

from __future__ import annotations

from datetime import UTC, datetime

from registry import http
from replication.adapters import signing
from replication.adapters.signing import Key


def request(method: str, url: str, headers: dict[str, str] | None = None, data: bytes = b"") -> http.Request:
    return http.Request(method, url, headers=dict(headers or {}), data=data)


def signature(signed: http.Request) -> str:
    return str(signed.headers["Authorization"]).rpartition("Signature=")[2]


def test_aws() -> None:
    """`get-vanilla` and `get-vanilla-query-order-key-case` of AWS's Signature Version 4 test suite."""
    key = Key("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    plain = request("GET", "https://example.amazonaws.com/")
    signing.aws(plain, key, "us-east-1", "service", now)
    assert signature(plain) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    ordered = request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1")
    signing.aws(ordered, key, "us-east-1", "service", now)
    assert signature(ordered) == "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"


def test_tencent() -> None:
    """The example of "Signature v3" in Tencent Cloud's documentation."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = request(
        "POST", "https://cvm.tencentcloudapi.com/", {"Content-Type": "application/json; charset=utf-8"}, body
    )
    key = Key("AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")
    signing.tencent(signed, key, "cvm", datetime.fromtimestamp(1551113065, UTC))
    assert signature(signed) == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"


def test_alibaba() -> None:
    """The example of "V3 request syntax and signature" in Alibaba Cloud's documentation."""
    query = "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"
    signed = request("POST", f"https://ecs.cn-shanghai.aliyuncs.com/?{query}")
    now, nonce = datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC), "3156853299f313e23d1673dc12e1703d"
    key = Key("YourAccessKeyId", "YourAccessKeySecret")
    signing.alibaba(signed, key, "RunInstances", "2014-05-26", now, nonce)
    assert signature(signed) == "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"


def test_volcengine() -> None:
    """The example of Volcengine's documentation (6369/67270)."""
    signed = request(
        "GET",
        "https://iam.volcengineapi.com/?Action=ListUsers&Version=2018-01-01&Limit=10&Offset=0",
        {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
    )
    key = Key(
        "AKLTMjI2ODVlYzI3ZGY1NGU4ZjhjYWRjMTlmNTM5OTZkYzE",
        "TnpCak5XWXpZV1U0WkRaaE5ERmxaR0ZpTmpjeVkyUXlZek0wTWpJMU1qWQ==",
    )
    signing.volcengine(signed, key, "cn-north-1", "iam", datetime(2020, 12, 30, 8, 18, 5, tzinfo=UTC))
    assert signature(signed) == "28eeabbbd726b87002e0fe58ad8c1c768e619b06e2646f35b6ad7ed029a6d8a7"


def test_a_key_does_not_show_its_secret() -> None:
    assert "hidden" not in repr(Key("id", "hidden"))
