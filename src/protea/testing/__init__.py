"""What ships for those who test against Protea: fakes, and one contract suite per port."""
